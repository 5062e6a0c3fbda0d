/** A choice with a second press to confirm it. Its consequences are shown in between. */

import { type PropsWithChildren, useState } from 'react';
import { StyleSheet, View } from 'react-native';

import { Button } from '@/components/button';
import { space } from '@/components/theme';
import { ACCOUNT } from '@/texts/account';

interface SureProps {
  label: string;
  sureLabel: string;
  kind?: 'primary' | 'danger';
  onSure: () => void;
  onCancel?: () => void;
}

export function Sure({ label, sureLabel, kind = 'danger', onSure, onCancel, children }: PropsWithChildren<SureProps>) {
  const [isAsking, setAsking] = useState(false);
  const cancel = () => {
    setAsking(false);
    onCancel?.();
  };
  return (
    <View style={styles.place}>
      {isAsking ? children : null}
      <View style={styles.buttons}>
        {isAsking ? (
          <>
            <Button label={sureLabel} kind={kind} onPress={onSure} />
            <Button label={ACCOUNT.cancel} onPress={cancel} />
          </>
        ) : (
          <Button label={label} kind={kind === 'danger' ? 'danger' : 'quiet'} onPress={() => setAsking(true)} />
        )}
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  place: { maxWidth: '100%', gap: space.m },
  buttons: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s },
});
