/** A link out of the app, to a page or to an address. Renders nothing without a target. */

import { Link } from 'expo-router';
import { Pressable, StyleSheet } from 'react-native';

import { TOUCH } from './theme';
import { Words } from './words';

export function TextLink({ label, to }: { label: string; to: string }) {
  if (!to) return null;
  return (
    <Link href={to as `https:${string}`} target={to.startsWith('http') ? '_blank' : undefined} asChild>
      <Pressable style={styles.link}>
        <Words kind="label" tone="accent">
          {label}
        </Words>
      </Pressable>
    </Link>
  );
}

const styles = StyleSheet.create({ link: { minHeight: TOUCH, justifyContent: 'center' } });
