/** Room for the keyboard: on Android, which draws apps from edge to edge, the system no longer makes it. */

export { KeyboardAvoidingView, KeyboardProvider } from 'react-native-keyboard-controller';
