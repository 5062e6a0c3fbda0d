/** The line of news, apart from the screen, so that news draw nothing else again. */

import { Notice } from '@/components/notice';

import { useNotice } from './use-notice';

export function News() {
  return <Notice {...useNotice()} />;
}
