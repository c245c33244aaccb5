import { snapshotsExam } from './snapshots-exam.ts'

snapshotsExam('directory')
