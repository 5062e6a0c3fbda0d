/** The place for a CAPTCHA.
 * Show Turnstile or hCaptcha here and return its token; this app has none. */

export async function captchaToken(): Promise<string | null> {
  return null;
}

/** The token as Supabase Auth takes it:
 * with every anonymous sign-in, and with every request for a code to sign in. */
export async function withCaptcha(): Promise<{ captchaToken?: string }> {
  const token = await captchaToken();
  return token === null ? {} : { captchaToken: token };
}
