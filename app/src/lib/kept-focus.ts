/** A phone's system keeps the focus of a screen reader; see kept-focus.web.ts. */
export function useKeptFocus(): void {}
