// Signs in to an account from a second phone with the real supabase-js.
// Prints the results as one JSON object.
import { createClient } from "npm:@supabase/supabase-js@2.119.1";

const [url, publishable, , mailbox] = Deno.args;
const create = () => createClient(url, publishable, { auth: { persistSession: false, autoRefreshToken: false } });
const codeFor = async (email: string) => await (await fetch(`${mailbox}/${email}`)).text();
const wrongFor = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");
const said: Record<string, unknown> = {};

const phone = create();
const captcha = { options: { captchaToken: "solved" } };
const userId = (await phone.auth.signInAnonymously(captcha)).data.user!.id;
const id = crypto.randomUUID();
await phone.rpc("enqueue_generation", { p_id: id, p_model: "preview", p_input: { prompt: "a fox" } });
const credits = async (client: ReturnType<typeof create>) =>
  (await client.from("entitlements").select("credits").single()).data?.credits;
said.before = await credits(phone);

// The account gets the address when the code is verified, and not before.
const email = `Fox.${userId}@Example.com`;
const asked = (await phone.auth.updateUser({ email })).data.user!;
said.pending = [asked.id === userId, asked.email, asked.new_email === email.toLowerCase(), asked.is_anonymous];
const code = await codeFor(email.toLowerCase());
const change = (token: string, address = email) => phone.auth.verifyOtp({ email: address, token, type: "email_change" });
said.wrong = (await change(wrongFor(code))).error?.code;
said.otherAddress = (await change(code, `x${email}`)).error?.code;
said.otherType = (await phone.auth.verifyOtp({ email, token: code, type: "email" })).error?.code;
const verified = (await change(code)).data;
said.verified = [verified.user!.id === userId, verified.user!.email, verified.user!.is_anonymous, !!verified.session];
said.claim = (await phone.auth.getClaims()).data?.claims.is_anonymous;
said.repeated = (await change(code)).error?.code;
said.kept = [await credits(phone), (await phone.from("jobs").select("id")).data?.[0].id === id];

// Another phone.
const second = create();
const signIn = (address: string, client = second) =>
  client.auth.signInWithOtp({ email: address, options: { shouldCreateUser: false, ...captcha.options } });
said.stranger = (await signIn("nobody@example.com")).error?.code;
said.sent = (await signIn(email)).error;
const first = await codeFor(email.toLowerCase());
await signIn(email);
const next = await codeFor(email.toLowerCase());
const enter = (token: string, client = second) => client.auth.verifyOtp({ email, token, type: "email" });
said.replaced = first === next ? "otp_expired" : (await enter(first)).error?.code;
const entered = (await enter(next)).data;
said.entered = [entered.user!.id === userId, await credits(second), entered.session!.user.is_anonymous];
said.used = (await enter(next)).error?.code;
said.firstPhoneStays = (await phone.auth.getUser()).data.user?.id === userId;

// An address of another account.
const third = create();
await third.auth.signInAnonymously();
said.exists = (await third.auth.updateUser({ email })).error?.code;
said.invalid = (await third.auth.updateUser({ email: "no address" })).error?.code;

await second.auth.signOut({ scope: "local" });
said.signedOut = [(await second.auth.getSession()).data.session, (await phone.auth.getUser()).error];
said.deleted = (await phone.rpc("delete_account")).error;
said.deletedAgain = (await phone.rpc("delete_account")).error;
said.oldToken = [
  (await phone.rpc("list_models")).status,
  (await phone.from("jobs").select("id")).data?.length,
  (await phone.auth.refreshSession()).error?.code,
  (await signIn(email, create())).error?.code,
];
console.log(JSON.stringify(said));
