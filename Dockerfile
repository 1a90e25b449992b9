# One image for every role; docker-compose.yml gives each service its command.
FROM node:24-bookworm-slim

WORKDIR /app

# The manifests first: the layer with the dependencies is built anew only when they change.
COPY package.json package-lock.json .npmrc tsconfig.base.json ./
COPY apps ./apps
COPY packages ./packages
RUN npm ci --omit=dev --no-audit --no-fund
RUN npm run build --workspace @updraft/web-ui
COPY dags ./dags
COPY prometheus.yml ./prometheus.yml
# 1000 is the user "node" of the image; a named volume takes over the owner of this folder.
RUN mkdir -p .updraft && chown 1000:1000 .updraft

ENV NODE_ENV=production
USER 1000
EXPOSE 8080
ENTRYPOINT ["node", "apps/cli/src/main.ts"]
CMD ["--help"]
