CREATE TABLE products (
  id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(100) NOT NULL,
  price DECIMAL(8, 2) NOT NULL,
  stock INT NOT NULL
);

CREATE TABLE orders (
  id INT PRIMARY KEY AUTO_INCREMENT,
  product INT NOT NULL REFERENCES products (id),
  placed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO products (name, price, stock) VALUES
  ('Anchor, galvanised, 5 kg', 48.00, 40),
  ('Barometer of brass', 129.00, 12),
  ('Fender, white', 17.50, 200),
  ('Rope, 14 mm, 30 m', 39.90, 65),
  ('Signal lamp', 24.00, 30);
