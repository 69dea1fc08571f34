export { RspackProfPlugin } from './index';
