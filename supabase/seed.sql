-- For development: `make up`, `make demo` and `npx supabase start` run it after the migrations.

update private.models set enabled = true where provider = 'preview';

-- The products of the app's preview store, which buys in a sandbox. Sandbox purchases count in
-- development only.
insert into private.products (id, credits, gives_access, is_lifetime)
values
  ('preview_100', 100, false, false),
  ('preview_monthly', 30, true, false),
  ('preview_lifetime', 0, true, true)
on conflict do nothing;
update private.config set accept_sandbox_purchases = true;
