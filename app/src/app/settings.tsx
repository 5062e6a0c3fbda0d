import { SettingsScreen } from '@/features/account/settings-screen';

export default SettingsScreen;
