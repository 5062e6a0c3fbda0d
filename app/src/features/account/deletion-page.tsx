/** The web page that stores require: delete an account without the app.
 * The app in the same browser keeps its own user. */

import { useState } from 'react';

import { Words } from '@/components/words';
import { ABOUT } from '@/lib/about';
import { createVisitor } from '@/lib/supabase';
import { ACCOUNT } from '@/texts/account';

import { CodeForm } from './code-form';
import { DeleteSure } from './delete-sure';
import { deleteAccount } from './deletion';
import { Page } from './page';
import { Section } from './section';

interface Found {
  userId: string;
  email: string;
}

export function DeletionPage() {
  const [client] = useState(createVisitor);
  const [found, setFound] = useState<Found | null>(null);
  const [isDeleted, setDeleted] = useState(false);
  const find = async () => {
    const { data } = await client.auth.getSession();
    if (data.session) setFound({ userId: data.session.user.id, email: data.session.user.email ?? '' });
  };
  const remove = async () => {
    const isDone = found !== null && (await deleteAccount(client, found.userId).catch(() => false));
    setDeleted(isDone);
    return isDone;
  };
  return (
    <Page title={ACCOUNT.deleteTitle}>
      <Words>{ACCOUNT.pageIntro(ABOUT.name)}</Words>
      <Section title={found ? ACCOUNT.deleteTitle : ACCOUNT.signIn}>
        {isDeleted ? (
          <Words role="status">{ACCOUNT.deleted}</Words>
        ) : found ? (
          <>
            <Words>{ACCOUNT.pageFound(found.email)}</Words>
            <DeleteSure onSure={remove} />
          </>
        ) : (
          <CodeForm auth={client.auth} purpose="delete" onDone={() => void find()} />
        )}
      </Section>
      <Section title={ACCOUNT.noAddress}>
        <Words>{ACCOUNT.pageAnonymous}</Words>
      </Section>
      {ABOUT.contact ? <Words tone="muted">{ACCOUNT.pageContact(ABOUT.contact)}</Words> : null}
    </Page>
  );
}
