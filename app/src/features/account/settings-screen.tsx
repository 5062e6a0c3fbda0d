/** The account, the contact of the makers, and the deletion of the account. */

import { useRouter } from 'expo-router';
import { View } from 'react-native';

import { TextLink } from '@/components/text-link';
import { Words } from '@/components/words';
import { ABOUT } from '@/lib/about';
import { useSession } from '@/lib/session';
import { ACCOUNT } from '@/texts/account';

import { AccountSection } from './account-section';
import { DeleteSure } from './delete-sure';
import { deleteOwnAccount, keepAccount } from './deletion';
import { Page } from './page';
import { Section } from './section';

export function SettingsScreen() {
  const router = useRouter();
  const { userId, isReady } = useSession();
  const remove = async () => {
    const isDone = userId !== null && (await deleteOwnAccount(userId));
    if (isDone) router.dismissTo('/');
    return isDone;
  };
  return (
    <Page title={ACCOUNT.settings} hasBack>
      <AccountSection key={userId} />
      <Section title={ACCOUNT.about}>
        <View>
          <TextLink label={ACCOUNT.contact} to={ABOUT.contact && `mailto:${ABOUT.contact}`} />
          <TextLink label={ACCOUNT.terms} to={ABOUT.terms} />
          <TextLink label={ACCOUNT.privacy} to={ABOUT.privacy} />
        </View>
        <Words tone="muted">{ACCOUNT.version(ABOUT.version)}</Words>
      </Section>
      {isReady ? (
        <Section title={ACCOUNT.deleteTitle}>
          <DeleteSure onSure={remove} onCancel={keepAccount} />
        </Section>
      ) : null}
    </Page>
  );
}
