/** Words of the settings, of sign-in, and of the end of an account. */

import { creditsOf } from './app';

const unsent = (count: number, one: string, many: string) =>
  count === 1 ? `1 request is not sent yet. ${one}` : `${count} requests are not sent yet. ${many}`;

export const ACCOUNT = {
  settings: 'Settings',
  account: 'Account',
  about: 'About',
  cancel: 'Not now',

  saveTitle: 'Save your account',
  anonymous: 'Your pictures and credits are tied to this phone. With your e-mail address they outlive it: you sign in anywhere with a code.',
  haveAccount: 'I have an account',
  signIn: 'Sign in',
  signInInstead: 'Sign in instead',
  keepThis: 'Keep this account',
  signedIn: (email: string) => `Signed in as ${email}. On another phone, sign in with a code to this address.`,
  signOut: 'Sign out',
  signingOut: 'Your pictures leave this phone. They come back when you sign in again.',
  unsentWait: (count: number) =>
    unsent(count, 'It waits on this phone until you sign in again.', 'They wait on this phone until you sign in again.'),

  leaving: (credits: number | undefined) =>
    `The account of this phone has no address, so it cannot be opened again after you sign in to another. ${
      credits ? `Its ${creditsOf(credits)} will be lost. ` : ''
    }Its pictures on this phone stay in sight here.`,
  unsentLeft: (count: number) =>
    unsent(
      count,
      'The other account is not charged for it: you find it there as a card to retry.',
      'The other account is not charged for them: you find them there as cards to retry.',
    ),

  lostTitle: 'You are signed out',
  lostNamed: (email: string) => `The sign-in of ${email} is no longer valid on this phone. Your pictures and requests are still here, and new requests wait.`,
  lostAnonymous:
    'The sign-in of this phone is no longer valid, perhaps because a backup of it is in use on another one. Your pictures and requests are still here, and new requests wait.',
  startAnew: 'Start anew',
  startAnewSure: 'Start a new account',
  startingAnew: 'A new account begins empty. Your pictures on this phone stay in sight; the credits stay with the old account.',
  startingAnewBeside: (email: string) => `A new account begins empty. That of ${email} stays as it is: sign in to it at any time.`,
  unsentAnew: (count: number) =>
    unsent(count, 'You find it there as a card to retry.', 'You find them there as cards to retry.'),
  notStarted: 'The server could not be reached. Try again in a moment.',

  address: 'E-mail address',
  code: 'Code',
  sendCode: 'Send a code',
  sendAgain: 'Send another code',
  otherAddress: 'Another address',
  sentTo: (email: string) => `A code is on its way to ${email}. It may take a minute, and it may be among the spam.`,

  contact: 'Contact',
  terms: 'Terms',
  privacy: 'Privacy',
  version: (version: string) => `Version ${version}`,

  deleteTitle: 'Delete account',
  deleteAccount: 'Delete account',
  deleteSure: 'Delete for good',
  deleting: 'Deleting…',
  whatGoes: [
    'Every picture, photo and request of this account is deleted, on all phones, and your credits are lost.',
    'A subscription goes on until you cancel it in the store.',
    'This cannot be undone.',
  ].join(' '),
  notDeleted: 'The account could not be deleted. Try again in a moment; trying twice does no harm.',
  deleted: 'The account is deleted. Its pictures are removed within a minute.',
  pageIntro: (app: string) =>
    `Here you delete your ${app} account without the app. Sign in with a code to the address of the account, then confirm.`,
  noAddress: 'An account without an address',
  pageAnonymous:
    'An account without an e-mail address is known to its phone alone: open the app there, then Settings, and delete the account at the end of that page. If the app is gone from the phone, such an account cannot be opened by any person, and nothing in it names you.',
  pageContact: (contact: string) => `Questions, or a deletion by hand: ${contact}`,
  pageFound: (email: string) => `This is the account of ${email}.`,

  channel: 'Finished generations',
};

/** The button below a code, by the purpose of the code. */
export const ENTER = { save: 'Save account', sign_in: 'Sign in', delete: 'Continue' };

const WHY: Partial<Record<string, string>> = {
  email_exists: 'This address has an account already.',
  otp_disabled: 'There is no account with this address.',
  otp_expired: 'This code is wrong or too old. Type it again, or ask for another one.',
  over_email_send_rate_limit: 'A code was sent just now. Wait a minute before you ask for another one.',
  over_request_rate_limit: 'Too many tries. Wait some minutes.',
  validation_failed: 'This is not an e-mail address.',
  email_address_invalid: 'This e-mail address cannot be used.',
  email_address_not_authorized: 'No mail can be sent to this address.',
  captcha_failed: 'We could not check that you are a person. Try again.',
  user_banned: 'This account is suspended.',
  unreachable: 'The server could not be reached. Try again in a moment.',
  no_session: 'The server took this code but did not sign you in. Ask for another one.',
};

/** The message for a code that was not sent or not accepted. */
export const whyNot = (reason: string): string => WHY[reason] ?? 'It did not work. Try again in a moment.';
