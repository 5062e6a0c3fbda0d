import { meaningOf, Refused, Unreachable } from './api';
import * as outbox from './outbox';
import { job } from './samples.test.data';
import { after, createSender } from './sender';
import type { Answer, GenerationRequest } from './types';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.useFakeTimers();

const ANSWER: Answer = { job: job('queued'), credits: 4 };
const firstModel = jest.fn<Promise<string>, []>();
const upload = jest.fn<Promise<void>, [string, string]>();
const enqueue = jest.fn<Promise<Answer>, [GenerationRequest]>();
const cancel = jest.fn<Promise<Answer>, [string]>();
const onAnswer = jest.fn();
const onTooLate = jest.fn();
const onChange = jest.fn();
const onGone = jest.fn();
let sender: ReturnType<typeof createSender>;

beforeEach(() => {
  localStorage.clear();
  jest.resetAllMocks();
  sender = createSender('u', { firstModel, upload, enqueue, cancel, onAnswer, onTooLate, onChange, onGone });
  outbox.put({
    ...{ id: 'a', model: 'preview', input: {}, userId: null, requestedAt: '2026-01-01T10:00:00Z' },
    ...{ isTried: false, isWithdrawn: false, delay: null, refusal: null },
  });
});
afterEach(() => sender.stop());

const flush = () => jest.advanceTimersByTimeAsync(0);

test('an answer empties the outbox', async () => {
  enqueue.mockResolvedValue(ANSWER);
  sender.flush();
  await flush();
  expect(onAnswer).toHaveBeenCalledWith(ANSWER);
  expect(outbox.find('a')).toBeUndefined();
});

test('a tried request belongs to the user who tried it, on disk, before the call', () => {
  enqueue.mockReturnValue(new Promise(() => {}));
  sender.flush();
  expect(outbox.find('a')).toMatchObject({ userId: 'u', isTried: true });
});

test('flushing twice sends once', () => {
  enqueue.mockReturnValue(new Promise(() => {}));
  sender.flush();
  sender.flush();
  expect(enqueue).toHaveBeenCalledTimes(1);
});

test('no connection: it says so and tries again with the same id', async () => {
  enqueue.mockRejectedValueOnce(new Unreachable()).mockResolvedValueOnce(ANSWER);
  sender.flush();
  await flush();
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ id: 'a', delay: 'offline' }));
  await jest.advanceTimersByTimeAsync(1000);
  expect(enqueue.mock.calls.map(([{ id }]) => id)).toEqual(['a', 'a']);
  expect(outbox.find('a')).toBeUndefined();
});

test('a silent request is not given up: the same one is sent beside it', async () => {
  enqueue.mockReturnValueOnce(new Promise(() => {})).mockResolvedValueOnce(ANSWER);
  sender.flush();
  await jest.advanceTimersByTimeAsync(12_000);
  expect(enqueue).toHaveBeenCalledTimes(2);
  expect(outbox.find('a')).toBeUndefined();
});

test('a refusal is kept with its reason and not sent again', async () => {
  enqueue.mockRejectedValue(new Refused('insufficient_credits', 'Not enough credits.'));
  sender.flush();
  await jest.advanceTimersByTimeAsync(60_000);
  sender.flush();
  expect(enqueue).toHaveBeenCalledTimes(1);
  expect(outbox.find('a')?.refusal?.code).toBe('insufficient_credits');
});

test('a refused token: the request stays the user’s, and says what it waits for', async () => {
  enqueue.mockRejectedValueOnce(meaningOf(401, null, null));
  sender.flush();
  await flush();
  expect(outbox.find('a')).toMatchObject({ userId: 'u', delay: 'signed_out' });
  expect(outbox.ofUser('next')).toEqual([]);
});

test('a refused token that is replaced for the same user: the next try sends it', async () => {
  enqueue.mockRejectedValueOnce(meaningOf(401, null, null)).mockResolvedValueOnce(ANSWER);
  sender.flush();
  await jest.advanceTimersByTimeAsync(1000);
  expect(enqueue).toHaveBeenCalledTimes(2);
  expect(outbox.find('a')).toBeUndefined();
});

test('what has become the request of another user is left to that user', async () => {
  enqueue.mockRejectedValueOnce(meaningOf(401, null, null)).mockResolvedValueOnce(ANSWER);
  sender.flush();
  await flush();
  outbox.change('a', { userId: 'next' });
  await jest.advanceTimersByTimeAsync(60_000);
  expect(enqueue).toHaveBeenCalledTimes(1);
});

test('withdrawn before it was sent: nothing is sent', () => {
  outbox.change('a', { isWithdrawn: true });
  sender.flush();
  expect(enqueue).not.toHaveBeenCalled();
  expect(outbox.find('a')).toBeUndefined();
});

test('withdrawn while it was under way: it is canceled, and a lost cancel is repeated', async () => {
  enqueue.mockResolvedValue(ANSWER);
  cancel.mockRejectedValueOnce(new Unreachable()).mockResolvedValueOnce(ANSWER);
  sender.flush();
  outbox.change('a', { isWithdrawn: true });
  await flush();
  expect(outbox.find('a')).toBeDefined();
  await jest.advanceTimersByTimeAsync(1000);
  expect(cancel.mock.calls).toEqual([['a'], ['a']]);
  expect(outbox.find('a')).toBeUndefined();
});

test.each([
  ['running', [['a']]],
  ['canceled', []],
] as const)('a withdrawn one that is %s then', async (status, tooLate) => {
  enqueue.mockResolvedValue(ANSWER);
  cancel.mockResolvedValue({ job: job(status), credits: 4 });
  sender.flush();
  outbox.change('a', { isWithdrawn: true });
  await flush();
  expect(onTooLate.mock.calls).toEqual(tooLate);
  expect(onAnswer).toHaveBeenCalledTimes(1);
});

test.each([
  [new Unreachable(), 0, { kind: 'later', delay: 'offline', milliseconds: 1000 }],
  [new Unreachable(), 99, { kind: 'later', delay: 'offline', milliseconds: 15_000 }],
  [meaningOf(429, { code: 'too_many_jobs', message: '' }, '5'), 0, { kind: 'later', delay: 'too_many_jobs', milliseconds: 5000 }],
  [meaningOf(503, { code: 'unavailable', message: '' }, null), 1, { kind: 'later', delay: 'server_busy', milliseconds: 2000 }],
  // A timer of more than 24 days would fire at once.
  [meaningOf(503, null, '9999999999'), 0, { kind: 'later', delay: 'server_busy', milliseconds: 3_600_000 }],
  [meaningOf(503, null, 'Infinity'), 0, { kind: 'later', delay: 'server_busy', milliseconds: 3_600_000 }],
  [new Refused('too_large', 'Too large.'), 0, { kind: 'refused', code: 'too_large', message: 'Too large.' }],
])('%p at attempt %p', (error, attempt, outcome) => {
  expect(after(error, attempt)).toEqual(outcome);
});

test('a request without a model asks for the first, and keeps it before it is sent', async () => {
  outbox.change('a', { model: null });
  firstModel.mockRejectedValueOnce(new Unreachable()).mockResolvedValueOnce('first').mockResolvedValue('another');
  enqueue.mockRejectedValueOnce(new Unreachable()).mockResolvedValue(ANSWER);
  sender.flush();
  await flush();
  expect(outbox.find('a')).toMatchObject({ isTried: false, delay: 'offline' });
  await jest.advanceTimersByTimeAsync(1000);
  expect(outbox.find('a')).toMatchObject({ isTried: true, model: 'first' });
  await jest.advanceTimersByTimeAsync(2000);
  expect(enqueue.mock.calls.map(([{ model }]) => model)).toEqual(['first', 'first']);
});

test('what another tab has withdrawn, sent or heard a refusal of is not sent', async () => {
  enqueue.mockRejectedValueOnce(new Unreachable());
  sender.flush();
  await flush();
  outbox.erase('a');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(enqueue).toHaveBeenCalledTimes(1);
  expect(onGone.mock.calls).toEqual([['a']]);
});

test.each([
  [400, 'refused'],
  [402, 'refused'],
  [403, 'refused'],
  [404, 'refused'],
  [409, 'refused'],
  [413, 'refused'],
  [426, 'refused'],
  [451, 'refused'],
  [401, 'later'],
  [408, 'later'],
  [425, 'later'],
  [429, 'later'],
  [500, 'later'],
  [503, 'later'],
  [540, 'later'],
  [0, 'later'],
])('%p with a code that this version does not know means %p', (status, kind) => {
  const said = { code: 'of_tomorrow', message: 'Said by the server.' };
  expect(after(meaningOf(status, said, null), 0)).toMatchObject({ kind, ...(kind === 'refused' && said) });
});

test('a refusal without a word of ours is final, and never blank', () => {
  expect(meaningOf(413, null, null)).toMatchObject({ code: 'too_large' });
  expect(meaningOf(451, null, null)).toMatchObject({ code: 'http_451', message: expect.stringMatching(/\.$/) });
});

describe('a request with a photo', () => {
  const PHOTO = '01900000-0000-7000-8000-000000000001';
  beforeEach(() => void outbox.change('a', { input: { prompt: 'a fox', image: `photo:${PHOTO}`, more: [`photo:${PHOTO}`] } }));

  test('is sent when the photo is there, which is named by its path', async () => {
    upload.mockRejectedValueOnce(new Unreachable()).mockResolvedValue();
    enqueue.mockResolvedValue(ANSWER);
    sender.flush();
    await flush();
    expect(enqueue).not.toHaveBeenCalled();
    expect(outbox.find('a')).toMatchObject({ isTried: false, delay: 'offline' });
    await jest.advanceTimersByTimeAsync(1000);
    expect(upload).toHaveBeenLastCalledWith('u', PHOTO);
    const path = `u/${PHOTO}.jpg`;
    expect(enqueue.mock.calls[0]?.[0].input).toEqual({ prompt: 'a fox', image: path, more: [path] });
  });

  test('that is withdrawn during the upload is not sent', async () => {
    let arrive: () => void = () => {};
    upload.mockReturnValue(new Promise((resolve) => (arrive = resolve)));
    sender.flush();
    outbox.change('a', { isWithdrawn: true });
    arrive();
    await flush();
    expect(enqueue).not.toHaveBeenCalled();
    expect(outbox.find('a')).toBeUndefined();
  });

  test('that is lost is refused, not waited for', async () => {
    upload.mockRejectedValue(new Refused('photo_lost', 'Choose it again.'));
    sender.flush();
    await flush();
    expect(outbox.find('a')?.refusal).toEqual({ code: 'photo_lost', message: 'Choose it again.' });
  });
});

test.each(['-5', '-Infinity', 'NaN', 'Wed, 21 Oct 2099 07:28:00 GMT', '', '0', '0.0001', '1e300', 'Infinity'])(
  'however a server says when to come back (%j), it is asked in a second at the earliest and in an hour at the latest',
  (said) => {
    const outcome = after(meaningOf(429, null, said), 0);
    expect(outcome).toMatchObject({ kind: 'later' });
    expect(outcome.kind === 'later' && outcome.milliseconds).toBeGreaterThanOrEqual(1000);
    expect(outcome.kind === 'later' && outcome.milliseconds).toBeLessThanOrEqual(3_600_000);
  },
);
