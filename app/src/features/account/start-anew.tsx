/** A new account in the place of one whose sign-in is lost. */

import { useState } from 'react';

import { Words } from '@/components/words';
import { startAnew, useSession } from '@/lib/session';

import { TEXT } from './messages';
import { Sure } from './sure';
import { useUnsent } from './use-unsent';

export function StartAnew() {
  const { email } = useSession();
  const unsent = useUnsent();
  const [hasFailed, setFailed] = useState(false);
  const start = () => void startAnew().then((hasStarted) => setFailed(!hasStarted));
  return (
    <Sure label={TEXT.startAnew} sureLabel={TEXT.startAnewSure} kind="primary" onSure={start}>
      <Words>{email ? TEXT.startingAnewBeside(email) : TEXT.startingAnew}</Words>
      {unsent > 0 ? <Words>{email ? TEXT.unsentWait(unsent) : TEXT.unsentAnew(unsent)}</Words> : null}
      {hasFailed ? (
        <Words tone="danger" role="alert">
          {TEXT.notStarted}
        </Words>
      ) : null}
    </Sure>
  );
}
