import { boundedFetch } from './bounded-fetch';

jest.useFakeTimers();

const never = (signal: AbortSignal | null | undefined) =>
  new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
const network = jest.spyOn(globalThis, 'fetch');

test('a server that never answers is given up', async () => {
  network.mockImplementation((_url, init) => never(init?.signal));
  const call = expect(boundedFetch('http://x')).rejects.toThrow('aborted');
  await jest.advanceTimersByTimeAsync(15_000);
  await call;
});

describe('a body that stalls after its headers', () => {
  beforeEach(() => {
    network.mockImplementation(async (_url, init) => ({ text: () => never(init?.signal) }) as unknown as Response);
  });

  test('is given up', async () => {
    const body = expect((await boundedFetch('http://x')).text()).rejects.toThrow('aborted');
    await jest.advanceTimersByTimeAsync(15_000);
    await body;
  });

  test('is given up when the caller gives up', async () => {
    const caller = new AbortController();
    const body = expect((await boundedFetch('http://x', { signal: caller.signal })).text()).rejects.toThrow('aborted');
    caller.abort();
    await body;
  });
});
