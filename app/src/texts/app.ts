/** Words of every screen, and of the screens that have nothing to show. */

export const NAME = 'Pilotlight';

export const creditsOf = (count: number) => (count === 1 ? '1 credit' : `${count} credits`);

export const APP = {
  back: 'Back',
  close: 'Close',
  cancel: 'Cancel',
  delete: 'Delete',
  retry: 'Retry',
  edit: 'Edit',
  editPrompt: 'Edit prompt',
  getCredits: 'Get credits',
  play: 'Play',
  pause: 'Pause',

  /** The name of a button for a screen reader: its label and its purpose. */
  of: (label: string, purpose: string) => `${label}: ${purpose}`,
};

export const NOT_FOUND = {
  title: 'There is nothing here',
  text: 'The address may be mistyped, or of another version of the app.',
  back: 'To the gallery',
};

export const BROKEN = {
  title: 'Something went wrong',
  text: 'Your requests are kept and go on.',
  again: 'Try again',
};
