/** Both stores ask for these beside a subscription's price. Yours go here. */

export const TERMS_URL = 'https://example.com/terms';
export const PRIVACY_URL = 'https://example.com/privacy';
