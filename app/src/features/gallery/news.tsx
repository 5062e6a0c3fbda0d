/** The line of news, apart from the screen, so that news draw nothing else again. */

import { useIsFocused } from 'expo-router';

import { Notice } from '@/components/notice';

import { useNotice } from './use-notice';

export function News() {
  const news = useNotice();
  // The screen below stays mounted, and must not say it a second time.
  return useIsFocused() ? <Notice {...news} /> : <Notice text={null} />;
}
