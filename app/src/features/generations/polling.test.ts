import { pollEvery } from './polling';

test.each([
  { pending: 0, isJoined: false, every: false },
  { pending: 0, isJoined: true, every: false },
  { pending: 1, isJoined: false, every: 2_500 },
  { pending: 3, isJoined: true, every: 20_000 },
])('$pending under way, joined: $isJoined → $every', ({ every, ...now }) => {
  expect(pollEvery(now)).toBe(every);
});
