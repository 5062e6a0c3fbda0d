/** The facts about this app in app.json; empty values are not shown. */

import Constants from 'expo-constants';
import * as v from 'valibot';

import { parsed } from './parse';

const text = v.fallback(v.string(), '');
const extra = v.object({ contact: text, terms: text, privacy: text });

export const ABOUT = {
  name: Constants.expoConfig?.name ?? '',
  version: Constants.expoConfig?.version ?? '',
  contact: '',
  terms: '',
  privacy: '',
  ...parsed(extra, Constants.expoConfig?.extra),
};
