# The runtime alone: source is TypeScript that Node runs as it is, so there is nothing to build.
FROM node:24-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY bin ./bin
COPY src ./src
# What the demonstration shows beside the service.
COPY clients/relying-party/src ./clients/relying-party/src
COPY examples ./examples
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production ASSAY_LISTEN=0.0.0.0:8080 ASSAY_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=16", "src/main.ts"]
