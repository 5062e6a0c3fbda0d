/** Makes room for the keyboard.
 * Android draws apps from edge to edge, so the system no longer does it. */

export { KeyboardAvoidingView, KeyboardProvider } from 'react-native-keyboard-controller';
