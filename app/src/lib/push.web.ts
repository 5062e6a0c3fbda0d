/** A browser gets no pushes. */

export async function pushToken(_channel: string, _mayAsk: boolean): Promise<string | null> {
  return null;
}

export const onPushTapped = (_callback: (jobId: string) => void) => () => {};
