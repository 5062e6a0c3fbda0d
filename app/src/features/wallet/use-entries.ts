/** The statement, newest first, one page at a time. */

import { useInfiniteQuery } from '@tanstack/react-query';

import { useAccount } from '@/features/generations';
import { parsed } from '@/lib/parse';
import { useSession } from '@/lib/session';
import { supabase } from '@/lib/supabase';

import { entries, type Entry } from './entries';

const PAGE = 30;

/** The start of a page:
 * a time, and the number of known entries of that time, since one moment can have many entries. */
interface Start {
  at: string | null;
  known: number;
}

async function readEntries({ at, known }: Start): Promise<Entry[]> {
  const columns = supabase.from('credit_entries').select('id, kind, amount, owed, reason, created_at, job_id');
  const wanted = at === null ? columns : columns.lte('created_at', at);
  const newestFirst = wanted.order('created_at', { ascending: false }).order('id', { ascending: false });
  const { data, error } = await newestFirst.limit(PAGE + known);
  const page = error ? null : parsed(entries, data);
  if (!page) throw new Error('the statement could not be read');
  return page;
}

/** Return the start of the next page, which contains the known entries of its moment again. */
function endOf(pages: Entry[][]): Start {
  const all = withoutTwins(pages.flat());
  const at = all.at(-1)?.created_at ?? null;
  return { at, known: all.filter(({ created_at }) => created_at === at).length };
}

const withoutTwins = (all: Entry[]) => [...new Map(all.map((entry) => [entry.id, entry])).values()];

export function useEntries() {
  const { userId, isReady } = useSession();
  const account = useAccount();
  const query = useInfiniteQuery({
    // Every change of the account is an entry and begins a new statement. The old one is shown
    // until the new one is read.
    queryKey: ['credit entries', userId, account?.credits, account?.owed, account?.paidUntil],
    queryFn: ({ pageParam }) => readEntries(pageParam),
    initialPageParam: { at: null, known: 0 } as Start,
    getNextPageParam: (page, pages, start) => (page.length < PAGE + start.known ? null : endOf(pages)),
    placeholderData: (known, before) => (before?.queryKey[1] === userId ? known : undefined),
    enabled: isReady && account !== undefined,
  });
  return {
    entries: withoutTwins(query.data?.pages.flat() ?? []),
    hasFailed: query.isError,
    isLoading: query.isPending,
    loadOlder: () => {
      if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
    },
  };
}
