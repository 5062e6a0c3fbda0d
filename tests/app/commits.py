"""Counts what React draws, by the hook that its developer tools use; a production build calls it,
too.
"""

# A card that was drawn anew has new props; every props object is counted once.
COUNT_COMMITS = """
window.drawn = { commits: 0, cards: 0 };
const seen = new WeakSet();
const look = fiber => {
  for (; fiber; fiber = fiber.sibling) {
    const props = fiber.memoizedProps;
    if (typeof props?.['data-testid'] === 'string' && props['data-testid'].startsWith('card-') && !seen.has(props)) {
      seen.add(props);
      window.drawn.cards += 1;
    }
    look(fiber.child);
  }
};
window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
  supportsFiber: true,
  renderers: new Map(),
  inject: () => 1,
  onCommitFiberRoot: (_id, root) => {
    window.drawn.commits += 1;
    look(root.current.child);
  },
  onPostCommitFiberRoot() {},
  onCommitFiberUnmount() {},
};
"""
