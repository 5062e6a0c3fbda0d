/** The line of news. It is separate from the screen, so that news redraw nothing else. */

import { useIsFocused } from 'expo-router';

import { Notice } from '@/components/notice';

import { useNotice } from './use-notice';

export function News() {
  const news = useNotice();
  // The screen below stays mounted, and must not announce it a second time.
  return useIsFocused() ? <Notice {...news} /> : <Notice text={null} />;
}
