/** The account that is signed in on this phone, and the ways to change it. */

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { StyleSheet, View } from 'react-native';

import { Button } from '@/components/button';
import { Words } from '@/components/words';
import { forgetCards, useAccount } from '@/features/generations';
import { signOut, useSession } from '@/lib/session';
import { supabase } from '@/lib/supabase';
import { ACCOUNT } from '@/texts/account';

import { CodeForm } from './code-form';
import { Section } from './section';
import { StartAnew } from './start-anew';
import { Sure } from './sure';
import { forgetCodes } from './use-code';
import { unregister } from './use-push';
import { useUnsent } from './use-unsent';

export function AccountSection() {
  const { userId, email = null, isLost } = useSession();
  if (isLost) return <Lost email={email} />;
  return email && userId ? <Named userId={userId} email={email} /> : <Anonymous />;
}

function Lost({ email }: { email: string | null }) {
  return (
    <Section title={ACCOUNT.lostTitle}>
      <Words>{email ? ACCOUNT.lostNamed(email) : ACCOUNT.lostAnonymous}</Words>
      <CodeForm auth={supabase.auth} purpose="sign_in" address={email ?? ''} />
      <StartAnew />
    </Section>
  );
}

function Named({ userId, email }: { userId: string; email: string }) {
  const client = useQueryClient();
  const unsent = useUnsent();
  const leave = async () => {
    void unregister();
    await signOut();
    forgetCards(client, userId);
    forgetCodes();
  };
  return (
    <Section title={ACCOUNT.account}>
      <Words>{ACCOUNT.signedIn(email)}</Words>
      <Sure label={ACCOUNT.signOut} sureLabel={ACCOUNT.signOut} onSure={() => void leave()}>
        <Words>{ACCOUNT.signingOut}</Words>
        {unsent > 0 ? <Words>{ACCOUNT.unsentWait(unsent)}</Words> : null}
      </Sure>
    </Section>
  );
}

/** `other` is the address for a sign-in to another account;
 * it is null while the user may save this account. */
function Anonymous() {
  const [other, setOther] = useState<string | null>(null);
  const account = useAccount();
  const unsent = useUnsent();
  if (other === null) {
    return (
      <Section title={ACCOUNT.saveTitle}>
        <Words>{ACCOUNT.anonymous}</Words>
        <CodeForm auth={supabase.auth} purpose="save" onTaken={setOther} />
        <View style={styles.start}>
          <Button label={ACCOUNT.haveAccount} onPress={() => setOther('')} />
        </View>
      </Section>
    );
  }
  return (
    <Section title={ACCOUNT.signIn}>
      <Words>{ACCOUNT.leaving(account?.credits)}</Words>
      {unsent > 0 ? <Words>{ACCOUNT.unsentLeft(unsent)}</Words> : null}
      <CodeForm auth={supabase.auth} purpose="sign_in" address={other} />
      <View style={styles.start}>
        <Button label={ACCOUNT.keepThis} onPress={() => setOther(null)} />
      </View>
    </Section>
  );
}

const styles = StyleSheet.create({ start: { flexDirection: 'row' } });
