/** Entry of the trainer process (dist/trainer.mjs); `runs/supervisor` forks it. */
import { serveTrainer } from './child.js';
import { assemble } from '../setup.js';

serveTrainer(assemble);
