/** Entry of the trainer process (dist/trainer.mjs); `runs/trainerProcess` forks it. */
import { loadEngines } from '../../engine/registry.js';
import { loadHdf5 } from '../../model/files/hdf5.js';
import { serveTrainer } from './child.js';
import { assemble } from '../setup.js';
import { WARM_ARGUMENT } from './ipc.js';

serveTrainer(assemble);
// What does not load is reported by the run.
if (process.argv[2] === WARM_ARGUMENT) Promise.all([loadEngines(), loadHdf5()]).catch(() => undefined);
