import { GalleryScreen } from '@/features/gallery/gallery-screen';

export default GalleryScreen;
