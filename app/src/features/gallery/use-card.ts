/** The actions of a card, on the wall and on its own screen, and the messages about them. */

import { useRouter } from 'expo-router';

import { type Item, useActions, useModels } from '@/features/generations';
import { CARD } from '@/texts/gallery';

import { edit } from './draft';
import { report } from './use-notice';

export function useCard(item: Item) {
  const router = useRouter();
  const models = useModels();
  const { cancelItem, deleteItem, retryItem, undoDelete } = useActions();
  const undo = () => {
    if (!undoDelete(item)) report(CARD.tooLate);
  };
  return {
    retry: () => retryItem(item),
    edit: () => {
      edit(item, models);
      router.dismissTo('/');
    },
    getCredits: () => router.push('/credits'),
    remove: () => {
      deleteItem(item);
      report(CARD.deleted, { label: CARD.undo, onPress: undo });
    },
    cancel: () =>
      cancelItem(item).then(
        (isOver) => {
          if (!isOver) report(CARD.stopping);
        },
        () => report(CARD.notCanceled),
      ),
  };
}
