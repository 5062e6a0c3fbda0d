/** The web page that stores ask for: delete an account without the app. The app of this browser keeps its own user. */

import { useState } from 'react';

import { Words } from '@/components/words';
import { ABOUT } from '@/lib/about';
import { createVisitor } from '@/lib/supabase';

import { CodeForm } from './code-form';
import { DeleteSure } from './delete-sure';
import { deleteAccount } from './deletion';
import { TEXT } from './messages';
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
    <Page title={TEXT.deleteTitle}>
      <Words>{TEXT.pageIntro(ABOUT.name)}</Words>
      <Section title={found ? TEXT.deleteTitle : TEXT.signIn}>
        {isDeleted ? (
          <Words role="status">{TEXT.deleted}</Words>
        ) : found ? (
          <>
            <Words>{TEXT.pageFound(found.email)}</Words>
            <DeleteSure onSure={remove} />
          </>
        ) : (
          <CodeForm auth={client.auth} purpose="delete" onDone={() => void find()} />
        )}
      </Section>
      <Section title={TEXT.noAddress}>
        <Words>{TEXT.pageAnonymous}</Words>
      </Section>
      {ABOUT.contact ? <Words tone="muted">{TEXT.pageContact(ABOUT.contact)}</Words> : null}
    </Page>
  );
}
