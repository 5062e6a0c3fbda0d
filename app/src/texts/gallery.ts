/** Words of the wall, of the composer below it, and of the screen of one picture. */

import { creditsOf } from './app';

export const EMPTY = {
  title: 'What do you see?',
  text: 'Describe it, or begin with one of these. It starts at once and goes on, even when you leave.',
  // The preview model painted the samples from these exact prompts.
  // A translated prompt has another picture.
  samples: {
    lighthouse: 'A lighthouse at dusk, oil on canvas',
    lights: 'Northern lights over a mountain lake',
    castle: 'A castle in the morning mist',
    boat: 'A sailing boat at sunrise',
    fox: 'A fox in a snowy forest',
    meadow: 'Flowers on a sunny summer day',
  },
};

export const WALL = {
  account: 'Account',
  member: (credits: number) => `Member · ${creditsOf(credits)}`,
  shortage: (credits: number, cost: number) => `You have ${creditsOf(credits)}; this takes ${cost}.`,
  offline: 'You’re offline. Your requests are kept and sent later.',
  outOfReach: 'The server is out of reach. Trying again.',
};

export const COMPOSER = {
  prompt: 'Describe a picture',
  noPrompt: 'This model takes no words',
  generate: 'Generate',
  generateFor: (cost: number) => `Generate, ${creditsOf(cost)}`,
  model: 'Model',
  modelFor: (title: string, cost: number) => `${title} · ${creditsOf(cost)}`,
  more: 'More',
  less: 'Less',
  options: 'Options of the model',
  remove: 'Remove',
  fromLibrary: 'Choose from the library',
  camera: 'Camera',
  photoUnreadable: 'This photo could not be read. Choose another one.',
};

export const CARD = {
  open: 'Open',
  film: 'Film',
  sound: 'Sound',
  lasting: (kind: string, time: string) => `${kind} ${time}`,
  firstOf: (count: number) => `1 of ${count}`,
  progress: 'Progress',
  deleted: 'Deleted.',
  undo: 'Undo',
  tooLate: 'It was too late to bring it back.',
  stopping: 'It stops as soon as it can.',
  notCanceled: 'It could not be canceled. Try again in a moment.',
};

export const PICTURE = {
  looking: 'Looking…',
  unknown: 'There is no such picture here.',
  none: 'No picture',
  newer: 'Newer picture',
  older: 'Older picture',
  results: 'Results',
  result: (number: number, count: number) => `Result ${number} of ${count}`,
  actions: 'Actions',
  share: 'Share',
  save: 'Save',
  saveToPhotos: 'Save to photos',
  saved: 'It is in your photos.',
  notHere: 'It is not here yet.',
  notFetched: 'It could not be fetched. Try again in a moment.',
  again: 'Again',
  use: 'Use',
  useAsStart: 'Use as start',
  animate: 'Animate',
  animateThis: 'Animate this',
  more: 'More',
};

export const REPORT = {
  report: 'Report',
  title: 'What is wrong with it?',
  reason: 'Reason',
  reasons: {
    sexual: 'Sexual',
    violent: 'Violent',
    hateful: 'Hateful',
    real_person: 'Shows a real person',
    copyright: 'Violates a copyright',
    other: 'Something else',
  },
  inYourWords: 'In your own words, if you like',
  send: 'Send report',
  sent: 'Thank you. We will look at it.',
  notSent: 'The report could not be sent. Try again in a moment.',
};
