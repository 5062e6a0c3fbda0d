-- For development alone: `make up`, `make demo` and `npx supabase start` run it after the migrations.

update private.models set enabled = true where provider = 'preview';
