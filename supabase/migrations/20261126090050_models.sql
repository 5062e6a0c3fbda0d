-- The models that a user may choose, and what each of them takes.

create table private.models (
  id text primary key,
  title text not null,
  description text not null default '',
  kind text not null default 'image',
  cost integer not null,
  included boolean not null default false,
  provider text not null,
  provider_model text,
  defaults jsonb not null default '{}',
  input_schema jsonb not null default '{
    "type": "object", "required": ["prompt"],
    "properties": {"prompt": {"type": "string", "title": "Prompt", "maxLength": 4000}}
  }',
  timeout interval not null default '15 minutes',
  max_attempts integer not null default 3,
  enabled boolean not null default true,
  constraint ids_are_what_the_gate_takes check (id ~ '^[A-Za-z0-9_.:/-]{1,100}$'),
  constraint kinds_are_known check (kind in ('image', 'video', 'audio', 'text')),
  constraint costs_are_not_negative check (cost >= 0),
  constraint timeouts_are_positive check (timeout > interval '0'),
  constraint there_is_an_attempt check (max_attempts >= 1),
  constraint defaults_are_an_object check (jsonb_typeof(defaults) = 'object')
);
alter table private.models enable row level security;
comment on table private.models is
  'The models that a user may choose. `make model` prints a row for a model of Replicate. A change '
  'is for future jobs only: a job carries what it was asked to do.';
comment on column private.models.included is 'Paid users are not charged for this model.';
comment on column private.models.defaults is
  'What the provider gets below the user''s choice. {"$env": "NAME"} as a value names a variable '
  'of the worker''s environment; a secret must be named so.';
comment on column private.models.input_schema is
  'What a user may choose: a part of JSON Schema that private.schema_problem describes. Any other '
  'key of a request is refused. With an integer field "seed", a request without a seed gets one.';
comment on column private.models.timeout is
  'From the request to its deadline, waiting included. Then the job fails as timed_out.';

-- number_problem: what is wrong with a number, by the rule of its field; null when nothing is
create function private.number_problem(p_value numeric, p_rule jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_rule ->> 'type' = 'integer' and p_value <> trunc(p_value) then 'must be a whole number'
    when p_value < (p_rule ->> 'minimum')::numeric
      then format('must be at least %s', p_rule ->> 'minimum')
    when p_value > (p_rule ->> 'maximum')::numeric
      then format('must be at most %s', p_rule ->> 'maximum')
  end
$$;

-- value_problem: what is wrong with a value, by the rule of its field; null when nothing is
create function private.value_problem(p_value jsonb, p_rule jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_value) <> case p_rule ->> 'type'
      when 'integer' then 'number' else p_rule ->> 'type'
    end then case p_rule ->> 'type'
      when 'string' then 'must be a text'
      when 'boolean' then 'must be true or false'
      when 'array' then 'must be a list of photos'
      else 'must be a number'
    end
    when p_rule ? 'enum' and not p_rule -> 'enum' @> p_value
      then 'must be one of ' || left((
        select string_agg(choice, ', ') from jsonb_array_elements_text(p_rule -> 'enum') choice
      ), 200)
    else case p_rule ->> 'type'
      when 'string' then case
        when char_length(p_value #>> '{}') > (p_rule ->> 'maxLength')::integer
          then format('must have at most %s characters', p_rule ->> 'maxLength')
      end
      when 'array' then case
        when jsonb_path_exists(p_value, 'strict $[*] ? (@.type() <> "string")')
          then 'must be a list of photos'
        when jsonb_array_length(p_value) > (p_rule ->> 'maxItems')::integer
          then format('must have at most %s photos', p_rule ->> 'maxItems')
      end
      when 'boolean' then null
      else private.number_problem(p_value::numeric, p_rule)
    end
  end
$$;

-- rule_problem: what is wrong with the rule of one field of an input_schema; null when nothing is
create function private.rule_problem(p_rule jsonb)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_type text := p_rule ->> 'type';
  v_known text[] := '{type,title,description,default,x-order}'::text[] || case v_type
    when 'string' then '{maxLength,enum,format}'::text[]
    when 'integer' then '{minimum,maximum,enum}'::text[]
    when 'number' then '{minimum,maximum,enum}'::text[]
    when 'boolean' then '{}'::text[]
    when 'array' then '{items,maxItems}'::text[]
  end;
  v_keyword text;
begin
  if jsonb_typeof(p_rule) <> 'object' then
    return 'its rule must be an object';
  elsif coalesce(v_type, '') not in ('string', 'integer', 'number', 'boolean', 'array') then
    return 'its type must be string, integer, number, boolean or array';
  end if;
  select key into v_keyword from jsonb_object_keys(p_rule) key where key <> all (v_known) limit 1;
  if found then
    return format('the keyword %s is not understood for the type %s', v_keyword, v_type);
  end if;
  select key into v_keyword from jsonb_each(p_rule) rule (key, value)
  where jsonb_typeof(value) <> case
    when key in ('minimum', 'maximum', 'maxLength', 'maxItems', 'x-order') then 'number'
    when key = 'enum' then 'array'
    when key = 'items' then 'object'
    when key = 'default' then jsonb_typeof(value)
    else 'string'
  end
  limit 1;
  if found then
    return format('its %s has a value of the wrong type', v_keyword);
  elsif coalesce(p_rule ->> 'format', 'image') <> 'image' then
    return 'the only format that is understood is image';
  elsif v_type = 'array' and p_rule -> 'items' is distinct from
    '{"type": "string", "format": "image"}'
  then
    return 'the items of an array must be {"type": "string", "format": "image"}';
  end if;
  return 'its default ' || private.value_problem(p_rule -> 'default', p_rule);
end
$$;

-- schema_problem: what is wrong with an input_schema; null when nothing is
--
-- {"type": "object", "required": [...], "properties": {...}}, where a property has a type: string
-- (maxLength, enum, format: image), integer and number (minimum, maximum, enum), boolean, or array
-- of {"type": "string", "format": "image"} (maxItems); and title, description, default, x-order
-- (its place on the screen). A keyword that would be ignored is refused.
create function private.schema_problem(p_schema jsonb)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_problem text;
begin
  if jsonb_typeof(p_schema) is distinct from 'object'
    or p_schema ->> 'type' is distinct from 'object'
    or jsonb_typeof(p_schema -> 'properties') is distinct from 'object'
    or jsonb_typeof(coalesce(p_schema -> 'required', '[]')) <> 'array'
  then
    return 'it must be {"type": "object", "required": [...], "properties": {...}}';
  end if;
  select key into v_name from jsonb_object_keys(p_schema) key
  where key not in ('type', 'required', 'properties', 'title', 'description') limit 1;
  if found then
    return format('the keyword %s is not understood', v_name);
  end if;
  select name into v_name
  from jsonb_array_elements_text(coalesce(p_schema -> 'required', '[]')) name
  where not p_schema -> 'properties' ? name limit 1;
  if found then
    return format('the required field %s has no rule', v_name);
  end if;
  select name, private.rule_problem(rule) into v_name, v_problem
  from jsonb_each(p_schema -> 'properties') property (name, rule)
  where private.rule_problem(rule) is not null limit 1;
  return format('field %s: ', v_name) || v_problem;
end
$$;

-- check_model: refuses a row that could not be used as it stands
create function private.check_model()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problem text := private.schema_problem(new.input_schema);
  v_secret text;
begin
  if v_problem is not null then
    raise exception 'The input_schema of the model % cannot be used: %.', new.id, v_problem
      using errcode = 'check_violation';
  end if;
  select key into v_secret from jsonb_each(new.defaults) given (key, value)
  where key ~* '(^|_)(key|apikey|token|secret|password)$' and jsonb_typeof(value) = 'string'
  limit 1;
  if found then
    raise exception 'The default % of the model % looks like a secret.', v_secret, new.id
      using errcode = 'check_violation',
        hint = format(
          'Write {"%s": {"$env": "NAME"}} and give the worker that variable.', v_secret);
  end if;
  return new;
end
$$;
create trigger models_check
  before insert or update on private.models
  for each row execute function private.check_model();

-- input_problem: what is wrong with a request's input, in words that name the field; null when
-- nothing is
create function private.input_problem(p_input jsonb, p_schema jsonb)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_problem text;
begin
  select key into v_name from jsonb_object_keys(p_input) key
  where not p_schema -> 'properties' ? key limit 1;
  if found then
    return format('This model does not take "%s".', left(v_name, 50));
  end if;
  select name into v_name
  from jsonb_array_elements_text(coalesce(p_schema -> 'required', '[]')) name
  where coalesce(btrim(p_input ->> name, E' \t\r\n'), '') = '' limit 1;
  if found then
    return format('"%s" is missing.', v_name);
  end if;
  select name, private.value_problem(value, p_schema -> 'properties' -> name)
  into v_name, v_problem
  from jsonb_each(p_input) given (name, value)
  where private.value_problem(value, p_schema -> 'properties' -> name) is not null limit 1;
  return format('"%s" ', v_name) || v_problem || '.';
end
$$;

-- is_storable: whether a request's input is one that every part of the system can read
--
-- The gate has the same rules. Here they hold for a client that calls the Data API, too. Postgres
-- itself refuses NUL and lone surrogates in jsonb. A depth of 32, and numbers that fit a double.
create function private.is_storable(p_input jsonb)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case  -- in this order: a deeper value is not walked to its end
    when pg_column_size(p_input) > 262144 then false
    when jsonb_path_exists(
      p_input, 'strict $.**{32} ? (@.type() == "object" || @.type() == "array")'
    ) then false
    else not exists (
      select from jsonb_path_query(p_input, 'strict $.** ? (@.type() == "number")') number
      where abs(number::numeric) > 1.7976931348623157e308
    )
  end
$$;

-- The models that this machine can run alone. The local stack enables them (supabase/seed.sql); a
-- deployment has no use for them.
insert into private.models
  (id, title, description, kind, cost, included, provider, provider_model, enabled, input_schema)
values
  (
    'preview', 'Preview', 'Paints a landscape from your words, on this machine.', 'image', 1, true,
    'preview', 'picture', false, '{
      "type": "object", "required": ["prompt"], "properties": {
        "prompt": {"type": "string", "title": "Prompt", "maxLength": 4000, "x-order": 0},
        "image": {"type": "string", "format": "image", "title": "Start photo", "x-order": 1},
        "num_outputs": {
          "type": "integer", "title": "Pictures", "minimum": 1, "maximum": 4, "default": 1,
          "x-order": 2
        },
        "seconds": {
          "type": "number", "title": "Seconds it takes", "minimum": 0, "maximum": 600,
          "default": 0, "x-order": 3
        }
      }
    }'
  ),
  (
    'preview-video', 'Preview video', 'A short film of the landscape.', 'video', 2, true,
    'preview', 'video', false, '{
      "type": "object", "required": ["prompt"], "properties": {
        "prompt": {"type": "string", "title": "Prompt", "maxLength": 4000, "x-order": 0},
        "image": {"type": "string", "format": "image", "title": "Start photo", "x-order": 1},
        "seconds": {
          "type": "number", "title": "Seconds it takes", "minimum": 0, "maximum": 600,
          "default": 0, "x-order": 2
        }
      }
    }'
  ),
  (
    'preview-text', 'Preview text', 'A few lines about your words.', 'text', 1, true,
    'preview', 'text', false, '{
      "type": "object", "required": ["prompt"], "properties": {
        "prompt": {"type": "string", "title": "Prompt", "maxLength": 4000, "x-order": 0},
        "num_outputs": {
          "type": "integer", "title": "Texts", "minimum": 1, "maximum": 4, "default": 1,
          "x-order": 1
        },
        "seconds": {
          "type": "number", "title": "Seconds it takes", "minimum": 0, "maximum": 600,
          "default": 0, "x-order": 2
        }
      }
    }'
  );

revoke execute on all functions in schema private from public;
