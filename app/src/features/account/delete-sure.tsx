/** The consequences of a deletion, a second press to confirm it, and the reason of a failure. */

import { useState } from 'react';

import { Words } from '@/components/words';
import { ACCOUNT } from '@/texts/account';

import { Sure } from './sure';

interface DeleteSureProps {
  /** Resolves to whether the account is deleted. */
  onSure: () => Promise<boolean>;
  onCancel?: () => void;
}

export function DeleteSure({ onSure, onCancel }: DeleteSureProps) {
  const [state, setState] = useState<'idle' | 'busy' | 'failed'>('idle');
  const remove = async () => {
    if (state === 'busy') return;
    setState('busy');
    setState((await onSure()) ? 'idle' : 'failed');
  };
  return (
    <Sure
      label={ACCOUNT.deleteAccount}
      sureLabel={state === 'busy' ? ACCOUNT.deleting : ACCOUNT.deleteSure}
      onSure={() => void remove()}
      onCancel={onCancel}
    >
      <Words>{ACCOUNT.whatGoes}</Words>
      {state === 'failed' ? (
        <Words tone="danger" role="alert">
          {ACCOUNT.notDeleted}
        </Words>
      ) : null}
    </Sure>
  );
}
