/** A form for an e-mail address, and then for the code that was sent to it. */

import { useState } from 'react';
import { StyleSheet, View } from 'react-native';

import { Button } from '@/components/button';
import { Field } from '@/components/field';
import { space } from '@/components/theme';
import { Words } from '@/components/words';
import { ENTER, ACCOUNT, whyNot } from '@/texts/account';

import type { Auth, Purpose } from './codes';
import { useCode } from './use-code';

interface CodeFormProps {
  auth: Auth;
  purpose: Purpose;
  /** An address that is already known; the user can change it. */
  address?: string;
  onDone?: () => void;
  /** Called when the address belongs to another account. */
  onTaken?: (email: string) => void;
}

export function CodeForm({ auth, purpose, address, onDone, onTaken }: CodeFormProps) {
  const { email, isSent, isBusy, reason, send, enter, startOver } = useCode(auth, purpose, address, onDone);
  const [typed, setTyped] = useState(email);
  const [code, setCode] = useState('');
  return (
    <View style={styles.form}>
      {isSent ? (
        <>
          <Words tone="muted">{ACCOUNT.sentTo(email)}</Words>
          <Field
            label={ACCOUNT.code}
            value={code}
            onChangeText={setCode}
            onSubmitEditing={() => void enter(code)}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={12}
          />
        </>
      ) : (
        <Field
          label={ACCOUNT.address}
          value={typed}
          onChangeText={setTyped}
          onSubmitEditing={() => void send(typed)}
          inputMode="email"
          autoComplete="email"
          maxLength={254}
        />
      )}
      <Words tone="danger" role="alert" style={reason ? null : styles.hidden}>
        {reason ? whyNot(reason) : ''}
      </Words>
      <View style={[styles.buttons, isBusy ? styles.busy : null]} aria-busy={isBusy}>
        {isSent ? (
          <>
            <Button label={ENTER[purpose]} kind="primary" onPress={() => void enter(code)} />
            <Button label={ACCOUNT.sendAgain} onPress={() => void send(email)} />
            <Button label={ACCOUNT.otherAddress} onPress={startOver} />
          </>
        ) : (
          <Button label={ACCOUNT.sendCode} kind="primary" onPress={() => void send(typed)} />
        )}
        {reason === 'email_exists' && onTaken ? (
          <Button label={ACCOUNT.signInInstead} onPress={() => onTaken(email)} />
        ) : null}
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  form: { gap: space.m },
  hidden: { display: 'none' },
  buttons: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s },
  busy: { opacity: 0.5 },
});
