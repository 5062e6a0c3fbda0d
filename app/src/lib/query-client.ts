/** TanStack Query for a phone:
 * it follows the app's foreground and network, and draws a change in its frame. */

import { focusManager, notifyManager, onlineManager, QueryClient } from '@tanstack/react-query';
import * as Network from 'expo-network';
import { AppState, Platform } from 'react-native';

// The default scheduler waits for a timer, and the placeholder of a tap could miss its frame.
notifyManager.setScheduler(queueMicrotask);

// In a browser TanStack listens by itself.
if (Platform.OS !== 'web') {
  AppState.addEventListener('change', (state) => focusManager.setFocused(state === 'active'));
  onlineManager.setEventListener((setOnline) => {
    const note = ({ isConnected }: Network.NetworkState) => setOnline(isConnected !== false);
    const subscription = Network.addNetworkStateListener(note);
    void Network.getNetworkStateAsync().then(note);
    return () => subscription.remove();
  });
}

const AGAIN_AFTER = 15_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: 'always' },
    queries: {
      // A browser can be wrong about being offline; a failed call costs nothing.
      networkMode: 'always',
      retry: 2,
      refetchOnReconnect: 'always',
      refetchOnWindowFocus: 'always',
      // A query that gave up would wait for the next return to the app.
      refetchInterval: ({ state }) => (state.fetchFailureCount > 0 ? AGAIN_AFTER : false),
    },
  },
});
