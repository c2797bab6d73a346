-- AlterEnum
ALTER TYPE "ChannelType" ADD VALUE 'direct';
