/** Width divided by height of a card: of its result, or of the result that it will have. Pure. */

import { isFile, type Item, type Model } from '@/features/generations';

const OF_SOUND = 1.6;
/** A card of words. It grows if its words need more room. */
const OF_WORDS = 2;
/** Very wide or very tall cards would leave no room for others. */
const [NARROWEST, WIDEST] = [0.5, 2];

export function ratioOf(item: Item, models: Model[], items: Item[]): number {
  if (item.status === 'failed' || item.status === 'canceled' || item.status === 'refused') return OF_WORDS;
  const wanted = item.status === 'succeeded' ? ofResult(item) : (asked(item.input) ?? usual(item, models, items));
  return Math.min(WIDEST, Math.max(NARROWEST, wanted ?? 1));
}

function ofResult(item: Item): number | null {
  const first = item.status === 'succeeded' ? item.output[0] : undefined;
  if (!first || !isFile(first)) return OF_WORDS;
  if (first.kind === 'audio') return OF_SOUND;
  return first.width && first.height ? first.width / first.height : null;
}

/** Read the requested ratio.
 * Models name it differently: "16:9", "1024x1536", or a width and a height. */
function asked({ prompt: _prompt, ...input }: Item['input']): number | null {
  const { width, height } = input;
  if (typeof width === 'number' && typeof height === 'number') return ratio(width, height);
  for (const value of Object.values(input)) {
    const [, wide, high] = /^(\d+)\s*[:x×]\s*(\d+)$/i.exec(String(value)) ?? [];
    if (wide && high) return ratio(Number(wide), Number(high));
  }
  return null;
}

const ratio = (wide: number, high: number) => (wide > 0 && high > 0 ? wide / high : null);

function usual({ model }: Item, models: Model[], items: Item[]): number | null {
  const properties = models.find(({ id }) => id === model)?.input_schema.properties;
  const defaults = Object.entries(properties ?? {}).map(([name, rule]) => [name, (rule as { default?: unknown } | null)?.default]);
  const last = items.find((item) => item.model === model && item.status === 'succeeded');
  return asked(Object.fromEntries(defaults)) ?? (last ? ofResult(last) : null);
}
