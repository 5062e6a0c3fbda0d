/** The prefix of everything that this app keeps on a disk,
 * so that two apps at one address of a browser do not share it. */
export const NAME = 'pilotlight';
