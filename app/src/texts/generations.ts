/** Words about a generation, wherever it is shown: its progress, and the reason of its end. */

export const FAILURES = {
  invalid_input: 'The model could not use this prompt.',
  content_rejected: 'This prompt isn’t allowed. Change it and try again.',
  provider_rejected: 'The model refused this one.',
  provider_unavailable: 'The model is out of reach right now.',
  timed_out: 'This took too long.',
  worker_lost: 'Something went wrong on our side.',
  canceled: 'You canceled this.',
  internal: 'Something went wrong on our side.',
};

export const costNothing = (line: string) => `${line} It cost nothing.`;

export const REFUSALS = {
  insufficient_credits: 'You’re out of credits. Add some, then tap Retry.',
  unknown_model: 'This model is no longer offered.',
  too_large: 'This prompt is too long.',
  invalid_request: 'The server did not understand this request.',
  id_conflict: 'Two requests got mixed up. Tap Retry.',
  other_account: 'Not sent by the account before. Tap Retry to send it from this one.',
};

/** For a refusal without a reason from the server. */
export const REFUSED = {
  unexplained: 'The server refused this request.',
  photoLost: 'The photo is no longer on this phone. Choose it again.',
  photoRefused: 'This photo could not be stored. Too many today, perhaps; try again tomorrow.',
};

export const DELAYS = {
  offline: 'Waiting for a connection',
  server_busy: 'The server is busy, trying again',
  too_many_jobs: 'Waiting for a free place',
  signed_out: 'Waiting until you are signed in',
};

export const STATUS = {
  sending: 'Sending',
  queued: 'In line',
  running: 'Painting',
  runningAt: (percent: number) => `Painting, ${percent}%`,
  succeeded: 'Finished',
};

/** For an output whose kind this version does not know. */
export const NOT_SHOWN = 'This version of the app cannot show it.';
