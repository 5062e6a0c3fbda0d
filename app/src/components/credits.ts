/** A number of credits, in words. */
export const creditsOf = (count: number) => (count === 1 ? '1 credit' : `${count} credits`);
