/** A browser makes room for the keyboard itself.
 * The package would add Reanimated, which is half as large as the rest of the script. */

import { Fragment, type PropsWithChildren } from 'react';
import { View, type ViewProps } from 'react-native';

export const KeyboardProvider = ({ children }: PropsWithChildren) => <Fragment>{children}</Fragment>;

export const KeyboardAvoidingView = ({ behavior: _behavior, ...props }: ViewProps & { behavior?: string }) => <View {...props} />;
