#!/usr/bin/env node
import { start } from '../dist/vsync.js';

await start();
