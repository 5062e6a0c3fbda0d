/** Stands in until the screen is here. */
export default function Nothing() {
  return null;
}
