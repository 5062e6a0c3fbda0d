/** The notice above every screen while the session is lost: the reason, and the two ways on. */

import { useRouter } from 'expo-router';
import { StyleSheet, View } from 'react-native';

import { Button } from '@/components/button';
import { space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { useSession } from '@/lib/session';
import { ACCOUNT } from '@/texts/account';

import { StartAnew } from './start-anew';

export function LostNotice({ top }: { top: number }) {
  const theme = useTheme();
  const router = useRouter();
  const { email } = useSession();
  return (
    <View role="alert" style={[styles.place, { paddingTop: top + space.m, backgroundColor: theme.surface, borderColor: theme.line }]}>
      <View style={styles.content}>
        <Words kind="label">{ACCOUNT.lostTitle}</Words>
        <Words kind="small">{email ? ACCOUNT.lostNamed(email) : ACCOUNT.lostAnonymous}</Words>
        <View style={styles.ways}>
          <Button label={ACCOUNT.signIn} kind="primary" onPress={() => router.push('/settings')} />
          <StartAnew />
        </View>
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  place: { paddingHorizontal: space.l, paddingBottom: space.m, borderBottomWidth: 1 },
  content: { width: '100%', maxWidth: 640, alignSelf: 'center', gap: space.s },
  ways: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s },
});
