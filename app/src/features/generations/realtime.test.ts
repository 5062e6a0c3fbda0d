import { listen } from './realtime';
import { job } from './samples.test.data';

type Follow = (status: string) => void;
const mockChannels: { say: Follow; hear: (payload: unknown) => void; system: (payload: object) => void }[] = [];
const mockRemoveChannel = jest.fn(async () => 'ok');

jest.mock('@/lib/supabase', () => ({
  supabase: {
    channel: () => {
      const handlers: Record<string, (message: object) => void> = {};
      const channel = {
        on(type: string, { event = '' }: { event?: string }, handler: (message: object) => void) {
          handlers[type + event] = handler;
          return channel;
        },
        subscribe(say: Follow) {
          mockChannels.push({
            say,
            hear: (payload) => handlers.broadcastjob?.({ payload }),
            system: (payload) => handlers.system?.(payload),
          });
        },
      };
      return channel;
    },
    removeChannel: () => mockRemoveChannel(),
    realtime: { disconnect: async () => 'ok' },
  },
}));
jest.useFakeTimers();

const listener = { onJob: jest.fn(), onAccount: jest.fn(), onJoined: jest.fn(), onLeft: jest.fn() };
let stop: () => void;
let renew: () => void;
const pass = (milliseconds = 0) => jest.advanceTimersByTimeAsync(milliseconds);

beforeEach(async () => {
  mockChannels.length = 0;
  jest.clearAllMocks();
  ({ stop, renew } = listen('u', listener));
  await pass();
});
afterEach(async () => {
  stop();
  await pass();
});

test('the truth is to be read after every join, and when the database begins to stream', () => {
  mockChannels[0]?.say('SUBSCRIBED');
  mockChannels[0]?.say('CHANNEL_ERROR');
  mockChannels[0]?.say('SUBSCRIBED');
  mockChannels[0]?.system({ status: 'ok' });
  expect(listener.onJoined).toHaveBeenCalledTimes(3);
});

test('a channel that the server closed is replaced', async () => {
  mockChannels[0]?.say('SUBSCRIBED');
  mockChannels[0]?.say('CLOSED');
  expect(listener.onLeft).toHaveBeenCalled();
  await pass(250);
  expect(mockChannels).toHaveLength(2);
});

test('an error is left to the library, which joins again itself', async () => {
  mockChannels[0]?.say('TIMED_OUT');
  await pass(60_000);
  expect(mockChannels).toHaveLength(1);
});

test('a renewed channel replaces the old one, whose last words are not heard', async () => {
  renew();
  await pass();
  mockChannels[0]?.hear(job('failed'));
  mockChannels[1]?.hear(job('running'));
  expect(listener.onJob.mock.calls).toEqual([[job('running')]]);
});

test('one step that fails does not close the channel permanently', async () => {
  mockRemoveChannel.mockRejectedValueOnce(new Error('the socket is gone'));
  renew();
  await pass();
  expect(mockChannels).toHaveLength(1);
  await pass(250);
  expect(mockChannels).toHaveLength(2);
});

test('nothing is opened after the end', async () => {
  mockChannels[0]?.say('CLOSED');
  stop();
  await pass(60_000);
  expect(mockChannels).toHaveLength(1);
});
