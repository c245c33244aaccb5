import { driverExam } from './driver-exam.ts'

driverExam('erofs')
