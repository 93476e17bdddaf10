<?php

declare(strict_types=1);

/** Products in MariaDB; the list of them and the counters in Memcached. */
final class Shop
{
    private const LIST_KEY = 'products';
    private const LIST_SECONDS = 30;

    private ?PDO $database = null;
    private ?Memcached $cache = null;

    /** @return array{list<array<string, mixed>>, bool} The products, and whether they came from the cache. */
    public function products(): array
    {
        $known = $this->cache()->get(self::LIST_KEY);
        if (is_array($known)) {
            return [$known, true];
        }
        $products = $this->database()->query('SELECT id, name, price, stock FROM products ORDER BY name')->fetchAll();
        $this->cache()->set(self::LIST_KEY, $products, self::LIST_SECONDS);
        return [$products, false];
    }

    /** Sells one; false when there is none left. */
    public function buy(int $product): bool
    {
        $database = $this->database();
        $database->beginTransaction();
        $taken = $database->prepare('UPDATE products SET stock = stock - 1 WHERE id = ? AND stock > 0');
        $taken->execute([$product]);
        if ($taken->rowCount() === 1) {
            $database->prepare('INSERT INTO orders (product) VALUES (?)')->execute([$product]);
        }
        $database->commit();
        $this->cache()->delete(self::LIST_KEY);
        return $taken->rowCount() === 1;
    }

    public function orders(): int
    {
        return (int) $this->database()->query('SELECT COUNT(*) FROM orders')->fetchColumn();
    }

    public function countVisit(): int
    {
        $this->cache()->add('visits', 0);
        return (int) $this->cache()->increment('visits');
    }

    /** @return array<string, string> What each part says: "ok", or what is wrong with it. */
    public function health(): array
    {
        return [
            'database' => $this->attempt(fn () => $this->database()->query('SELECT 1')->fetchColumn() == 1),
            'cache' => $this->attempt(fn () => $this->cache()->set('health', 1, 5) && $this->cache()->get('health') === 1),
        ];
    }

    private function attempt(callable $check): string
    {
        try {
            return $check() ? 'ok' : 'no right answer';
        } catch (Throwable $failure) {
            return $failure->getMessage();
        }
    }

    private function database(): PDO
    {
        return $this->database ??= new PDO(
            sprintf('mysql:host=%s;dbname=%s;charset=utf8mb4', getenv('DB_HOST'), getenv('DB_NAME')),
            getenv('DB_USER') ?: '',
            trim((string) file_get_contents((string) getenv('DB_PASSWORD_FILE'))),
            [
                PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
                PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
                PDO::ATTR_TIMEOUT => 2,
            ],
        );
    }

    private function cache(): Memcached
    {
        if ($this->cache === null) {
            $this->cache = new Memcached();
            $this->cache->setOption(Memcached::OPT_CONNECT_TIMEOUT, 500);
            $this->cache->addServer((string) getenv('CACHE_HOST'), 11211);
        }
        return $this->cache;
    }
}
