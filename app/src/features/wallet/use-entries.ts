/** The statement, newest first, a page at a time. */

import { useInfiniteQuery } from '@tanstack/react-query';

import { useAccount } from '@/features/generations';
import { parsed } from '@/lib/parse';
import { useSession } from '@/lib/session';
import { supabase } from '@/lib/supabase';

import { entries, type Entry } from './entries';

const PAGE = 30;

/** Where a page begins: at a time of which so many entries are known, since many can have been made at one moment. */
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

/** The known ones of its moment come again with the next page. */
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
    // Every change of the account is an entry: it begins a new statement, and the old one is shown until that is read.
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
