/** The choice of a new account in the place of one whose sign-in is lost. */

import { useState } from 'react';

import { Words } from '@/components/words';
import { startAnew, useSession } from '@/lib/session';
import { ACCOUNT } from '@/texts/account';

import { Sure } from './sure';
import { useUnsent } from './use-unsent';

export function StartAnew() {
  const { email } = useSession();
  const unsent = useUnsent();
  const [hasFailed, setFailed] = useState(false);
  const start = () => void startAnew().then((hasStarted) => setFailed(!hasStarted));
  return (
    <Sure label={ACCOUNT.startAnew} sureLabel={ACCOUNT.startAnewSure} kind="primary" onSure={start}>
      <Words>{email ? ACCOUNT.startingAnewBeside(email) : ACCOUNT.startingAnew}</Words>
      {unsent > 0 ? <Words>{email ? ACCOUNT.unsentWait(unsent) : ACCOUNT.unsentAnew(unsent)}</Words> : null}
      {hasFailed ? (
        <Words tone="danger" role="alert">
          {ACCOUNT.notStarted}
        </Words>
      ) : null}
    </Sure>
  );
}
